"""Incident → Diagnosis: cohort scan, change match, evidence by layer, calibrated posterior. Pure: values in, values out."""
