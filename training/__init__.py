"""Scripts that fit the data files shipped with the package. Nothing here is imported by it."""
