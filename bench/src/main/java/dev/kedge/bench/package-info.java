/// Speed, side by side in one run: whole steps against the bare binding and against Python, and the cost of a call.
package dev.kedge.bench;
