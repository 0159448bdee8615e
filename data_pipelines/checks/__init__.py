"""What `data_pipelines.checks.verification` looks for, one matter a file."""
