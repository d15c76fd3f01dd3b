/// The part of Jinja that chat templates use, within bounds of time and depth. Internal: [dev.kedge.text.ChatTemplate]
/// is how programs reach it.
package dev.kedge.text.jinja;
