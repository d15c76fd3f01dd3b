/// What a user's machine does to a run, on purpose: kills at chosen places, full disks, mutated files. Commands, not
/// tests: they take minutes to hours. What came of them stands in `docs/reliability.md`.
package dev.kedge.stress;
