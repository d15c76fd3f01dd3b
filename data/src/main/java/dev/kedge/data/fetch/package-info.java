/// Data sets and models by name: what there is, where it comes from, and how it gets here whole.
package dev.kedge.data.fetch;
