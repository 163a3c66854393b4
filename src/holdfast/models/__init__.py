"""Learned artefacts and their inference: arrays in, log-odds out. No model is ever fetched at run time."""
