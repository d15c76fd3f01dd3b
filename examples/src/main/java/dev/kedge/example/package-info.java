/// Kedge from a program of one's own, a file a use: an objective in one's own loop, DPO on one's own pairs, GRPO with
/// one's own verifier, generation as it comes, and a recipe of one's own with run folder and resume.
///
/// Internal: to be copied from, not to be built on. All are run by the tests of this room.
package dev.kedge.example;
