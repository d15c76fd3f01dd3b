/// The commands. Internal, and so are the packages below it: reached by the commands and recipe files, whose keys are
/// the surface.
package dev.kedge.cli;
