"""The page's files: how they are named, typed and cached, and how a deployment publishes them."""
