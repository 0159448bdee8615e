"""What `data_pipelines.verify` looks for, one matter a file."""
