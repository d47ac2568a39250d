"""Users taken over from a CSV file: jobs, the upload of the file, its lines, and the work.

Which values a user may have is ``people``'s business. Who starts the work when is ``pools.tasks``.
"""
