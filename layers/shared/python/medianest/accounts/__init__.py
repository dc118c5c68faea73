"""Creation, change and deletion of users, across users, sessions and requests."""
