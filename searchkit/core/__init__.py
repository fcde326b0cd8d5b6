"""What everything else stands on: records, errors, types of arrays."""
