/// From files to batches: records, readers, masks, batches in a reproducible order, and what a data set looks like.
package dev.kedge.data;
