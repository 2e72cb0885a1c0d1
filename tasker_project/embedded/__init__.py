"""The default PostgreSQL: a server of our own, started by the first connection.

A Django database backend (`base`), the launcher behind it, and the keeper process that stops the
server once nobody uses it. With DATABASE_URL set nothing of this is touched.
"""
