"""The imperative shell: frames, time and the database meet here and nowhere else."""
