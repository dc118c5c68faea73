"""Emulates CloudFront: one origin for the page, the API and the images."""
