"""Migrations, oldest first; they expand before they contract."""
