"""Evidence by layer: each file one group of composites, each composite one binned fact about the cohort since onset."""
