/// Log-probabilities and divergences through a language model's head, a few positions at a time: the logits of a whole
/// batch never exist at once. Their way back has two stages: see [HeadLogProbs].
package dev.kedge.objective.logprob;
