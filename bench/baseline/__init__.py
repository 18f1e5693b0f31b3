"""What a user would write from the docs of Flask, marshmallow, Celery and SQLAlchemy: the thing to compare with."""
