/// What models share: named parameters as windows on one flat buffer ([Parameters]). The decoder is in
/// `dev.kedge.nn.lm`, optimisers in `dev.kedge.nn.optim`, weights on disk in `dev.kedge.nn.file`.
package dev.kedge.nn;
