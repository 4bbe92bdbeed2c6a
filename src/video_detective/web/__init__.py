"""The operator's web page: one template, small scripts, strings in catalogues."""
