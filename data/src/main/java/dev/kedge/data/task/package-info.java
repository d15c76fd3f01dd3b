/// Generated tasks whose every answer can be judged exactly, small enough to enumerate.
package dev.kedge.data.task;
