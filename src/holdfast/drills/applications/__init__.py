"""The texts and tools of the sample applications, one file each."""
