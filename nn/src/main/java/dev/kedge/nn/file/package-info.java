/// Weights on disk: safetensors, Hugging Face model folders, llama2.c files and LoRA adapters, read and written.
///
/// What a file says is checked once, on reading; a damaged or unsupported one ends in one
/// [dev.kedge.nn.file.InvalidFileException]. Nothing that is read can run code.
package dev.kedge.nn.file;
