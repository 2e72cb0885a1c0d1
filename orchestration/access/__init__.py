"""Who may: principals, their permissions and namespaces, API keys, and the guard of the API.

`credentials.find_principal` answers who calls, `guard` asks for the permission that a view
declares, and every query takes the `scope` of the principal. Closed by default, all along the way.
"""
