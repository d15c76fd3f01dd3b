/// Speed, side by side in one run: whole steps against the bare binding and against Python, and the cost of a call.
/// Internal: reached by the commands.
package dev.kedge.bench;
