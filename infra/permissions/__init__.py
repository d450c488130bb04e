"""Every permission in our templates, with its reason and the line of code that uses it: `docs/iam.md`.

A developer's chore (`make iam`), not part of what runs. The templates say what is allowed; `reasons.toml` says why and
who uses it; `frame.md` holds the prose around the tables. A permission without a reason, a reason without a permission
and a line of code that is not there are faults, so that the document cannot be wrong in silence.
"""
