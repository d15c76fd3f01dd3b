/// Text to token ids and back, and conversations to text.
package dev.kedge.text;
