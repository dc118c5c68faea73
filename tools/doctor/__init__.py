"""`make doctor`: check before a deployment what AWS would refuse after ten minutes."""
