"""Trains and measures the inline models. Needs scikit-learn, which the product does not."""
