"""Looking after an index: status, verification, copies, another model."""
