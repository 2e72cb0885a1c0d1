"""Groups of `manage.py tasker` that ask for handlers; the frame around them is orchestration's."""
