package dev.kedge.data;

import dev.kedge.data.DataException.Place;
import dev.kedge.data.ReadOptions.Wrong;
import dev.kedge.text.ChatTemplate;
import dev.kedge.text.Tokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.IntStream;

/// Turns examples into tokens and says which of them are to be learnt.
///
/// Text and rendered conversations are cut where the model begins and ends to speak, and each piece is encoded by
/// itself. So the prompt that a model is sampled from ([#prompt]) is token for token the prompt that it is trained
/// on, and no token reaches over the border. A tokenizer that merges across a border would have given other tokens
/// for the whole.
///
/// - Text: the prompt is encoded with the tokens that the tokenizer adds at the beginning (BOS) unless the text begins
///   with them, and without those that it adds at the end; the reply as it stands; the end-of-sequence token follows,
///   if the tokenizer has one, and is a target.
/// - Messages: the chat template writes them, BOS included, and the tokenizer adds nothing; the targets are the
///   assistant's replies with their end-of-turn marker. What the template writes after the last of them is dropped. If
///   it writes no marker there, the end-of-sequence token follows.
/// - Documents: all is a target, end-of-sequence token included, but for the first token, before which nothing stands.
///
/// @param tokenizer  belongs to the caller
/// @param template   needed for messages
/// @param maxLength  tokens of a sequence, at least 2
/// @param truncation what happens to longer ones
public record Tokenisation(Tokenizer tokenizer, Optional<ChatTemplate> template, int maxLength, Truncation truncation) {
    public Tokenisation {
        if (maxLength < 2) {
            throw new IllegalArgumentException("maxLength must be at least 2, was " + maxLength);
        }
    }

    /// For prompts alone, at whatever length.
    public static Tokenisation ofPrompts(Tokenizer tokenizer, Optional<ChatTemplate> template) {
        return new Tokenisation(tokenizer, template, Integer.MAX_VALUE, Truncation.DROP);
    }

    /// The results for many examples.
    ///
    /// @param items   one for each example that could be used
    /// @param sources for each item, the index of its example
    /// @param skipped what was left out
    public record Tokens<T>(List<T> items, int[] sources, Skipped skipped) {
        public Tokens {
            items = List.copyOf(items);
        }
    }

    /// The tokens from which a reply is sampled, at whatever length.
    ///
    /// @throws IllegalArgumentException if the template or the tokenizer refuses the prompt
    public int[] prompt(Content prompt) {
        return pieces().prompt(prompt);
    }

    /// A conversation, a document, or a prompt with its reply, labelled or not, as one sequence; empty if it is
    /// too long for the truncation.
    ///
    /// @throws IllegalArgumentException if the template or the tokenizer refuses it, or it is a preference or a
    ///                                  prompt alone
    public Optional<Tokenized> sequence(Example example) {
        return pieces().spoken(example).fitted(maxLength, truncation, tokenizer.bos());
    }

    /// A preference as two sequences with the same prompt; empty if it is too long for the truncation.
    ///
    /// @throws IllegalArgumentException if the template or the tokenizer refuses it
    public Optional<TokenizedPair> pair(Preference preference) {
        Pieces pieces = pieces();
        Spoken chosen = pieces.reply(preference.prompt(), preference.chosen());
        Spoken rejected = pieces.reply(preference.prompt(), preference.rejected());
        return Spoken.fittedPair(chosen, rejected, maxLength, truncation, tokenizer.bos());
    }

    /// [#sequence] of each example.
    ///
    /// @throws DataException if an example is refused and wrong ones fail
    public Tokens<Tokenized> sequences(List<? extends Example> examples, Wrong wrong) {
        return sequences(examples, unread(examples.size()), wrong);
    }

    /// As [#sequences(List, Wrong)], of examples that stand at these places.
    public Tokens<Tokenized> sequences(List<? extends Example> examples, List<Place> places, Wrong wrong) {
        return each(examples, places, wrong, this::sequence);
    }

    /// [#pair] of each preference. Different texts that are the same tokens are no pair: left out and counted.
    ///
    /// @throws DataException if an example is refused or no preference, and wrong ones fail
    public Tokens<TokenizedPair> pairs(List<? extends Example> examples, Wrong wrong) {
        return pairs(examples, unread(examples.size()), wrong);
    }

    /// As [#pairs(List, Wrong)], of examples that stand at these places.
    public Tokens<TokenizedPair> pairs(List<? extends Example> examples, List<Place> places, Wrong wrong) {
        Tokens<TokenizedPair> all = each(examples, places, wrong, example -> {
            if (example instanceof Preference preference) {
                return pair(preference);
            }
            throw new IllegalArgumentException("expected a preference, found a " + name(example));
        });
        List<TokenizedPair> items = new ArrayList<>();
        List<Integer> sources = new ArrayList<>();
        Skipped.Counter equal = new Skipped.Counter();
        for (int i = 0; i < all.items().size(); i++) {
            TokenizedPair pair = all.items().get(i);
            int source = all.sources()[i];
            if (pair.chosen().equals(pair.rejected()) && !((Preference) examples.get(source)).isTie()) {
                equal.add(
                        "chosen and rejected are the same tokens",
                        places.get(source).toString());
            } else {
                items.add(pair);
                sources.add(source);
            }
        }
        return new Tokens<>(
                items,
                sources.stream().mapToInt(Integer::intValue).toArray(),
                all.skipped().plus(equal.skipped()));
    }

    /// [#sequence] of each labelled completion, with its label.
    ///
    /// @throws DataException if an example is refused or has no label, and wrong ones fail
    public Tokens<LabelledSequence> labelled(List<? extends Example> examples, Wrong wrong) {
        return labelled(examples, unread(examples.size()), wrong);
    }

    /// As [#labelled(List, Wrong)], of examples that stand at these places.
    public Tokens<LabelledSequence> labelled(List<? extends Example> examples, List<Place> places, Wrong wrong) {
        return each(examples, places, wrong, example -> {
            if (example instanceof LabelledCompletion labelled) {
                return sequence(labelled).map(s -> new LabelledSequence(s, labelled.desirable()));
            }
            throw new IllegalArgumentException("expected a labelled completion, found a " + name(example));
        });
    }

    /// [#prompt] of each example that has one which says something; longer than `maxLength` it is cut or left out as
    /// truncation says, where [Truncation#CUT_REPLY] leaves it out, as there is no reply to cut.
    ///
    /// @throws DataException if an example is refused or has no prompt, and wrong ones fail
    public Tokens<int[]> prompts(List<? extends Example> examples, Wrong wrong) {
        return prompts(examples, unread(examples.size()), wrong);
    }

    /// As [#prompts(List, Wrong)], of examples that stand at these places.
    public Tokens<int[]> prompts(List<? extends Example> examples, List<Place> places, Wrong wrong) {
        return each(examples, places, wrong, example -> {
            Content prompt =
                    switch (example) {
                        case Prompt(Content p) -> p;
                        case PromptCompletion(Content p, Content _) -> p;
                        case LabelledCompletion(Content p, Content _, boolean _) -> p;
                        case Preference(Content p, Content _, Content _) -> p;
                        case Conversation _, Document _ ->
                            throw new IllegalArgumentException("expected a prompt, found a " + name(example));
                    };
            int[] ids = prompt.isBlank() ? new int[0] : prompt(prompt);
            if (ids.length == 0) { // nothing to continue from
                throw new IllegalArgumentException("the prompt is empty");
            }
            return Spoken.fittedPrompt(ids, maxLength, truncation, tokenizer.bos());
        });
    }

    /// What keeps examples on one side of a split: equal where their prompts are the same tokens, at whatever length.
    /// One without a prompt, as a document, counts by the whole of it; so does one that is refused.
    public Object group(Example example) {
        try {
            return switch (example) {
                case Document(String text) -> text.strip();
                case Conversation(var messages) ->
                    messages.stream()
                                    .takeWhile(m -> !m.role().equals(Conversation.ASSISTANT))
                                    .allMatch(m -> m.content().isBlank())
                            ? example
                            : Tokenized.ofPrompt(pieces().spoken(example).prompt());
                case Prompt(Content prompt) -> group(prompt, example);
                case PromptCompletion(Content prompt, Content _) -> group(prompt, example);
                case LabelledCompletion(Content prompt, Content _, boolean _) -> group(prompt, example);
                case Preference(Content prompt, Content _, Content _) -> group(prompt, example);
            };
        } catch (IllegalArgumentException _) {
            return example;
        }
    }

    private Object group(Content prompt, Example whole) {
        return prompt.isBlank() ? whole : Tokenized.ofPrompt(prompt(prompt));
    }

    /// The places of examples that come from no file.
    private static List<Place> unread(int count) {
        return IntStream.rangeClosed(1, count)
                .mapToObj(i -> new Place(Path.of(""), "example", i))
                .toList();
    }

    private <E extends Example, T> Tokens<T> each(
            List<E> examples, List<Place> places, Wrong wrong, Function<? super E, Optional<T>> tokens) {
        List<T> items = new ArrayList<>();
        List<Integer> sources = new ArrayList<>();
        Skipped.Counter skipped = new Skipped.Counter();
        for (int i = 0; i < examples.size(); i++) {
            Place place = places.get(i);
            try {
                Optional<T> item = tokens.apply(examples.get(i));
                if (item.isPresent()) {
                    items.add(item.get());
                    sources.add(i);
                } else {
                    skipped.add("longer than " + maxLength + " tokens", place.toString());
                }
            } catch (IllegalArgumentException e) {
                DataException problem = new DataException(place, String.valueOf(e.getMessage()));
                if (wrong == Wrong.FAIL) {
                    throw problem;
                }
                skipped.add(problem.reason(), place.toString());
            }
        }
        return new Tokens<>(items, sources.stream().mapToInt(Integer::intValue).toArray(), skipped.skipped());
    }

    private static String name(Example example) {
        return switch (example) {
            case PromptCompletion _ -> "prompt with completion";
            case LabelledCompletion _ -> "labelled completion";
            case Conversation _ -> "conversation";
            case Preference _ -> "preference";
            case Prompt _ -> "prompt alone";
            case Document _ -> "document";
        };
    }

    private Pieces pieces() {
        return new Pieces(tokenizer, template);
    }
}
