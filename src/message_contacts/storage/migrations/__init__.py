"""Numbered steps from an empty database to the schema of `storage.schema`.

A new step: change `schema`, add `versions/step_<number>.py` with revision and down_revision, raise `migrate.HEAD`, and
set `schema_compatibility.oldest_program` to the oldest version whose program works on the result. A step takes nothing
away that the previous release needs: that goes one release later. Tests compare the steps with the schema. After the
last step the planners are told what to assume (`statistics`).
"""
