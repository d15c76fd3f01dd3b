package dev.kedge.data.verify;

import dev.kedge.data.Content;
import dev.kedge.data.Conversation;
import dev.kedge.data.DataException;
import dev.kedge.data.DataException.Place;
import dev.kedge.data.Dataset;
import dev.kedge.data.Form;
import dev.kedge.data.PromptCompletion;
import dev.kedge.data.ReadOptions;
import dev.kedge.data.ReadOptions.Wrong;
import dev.kedge.data.Skipped;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// Questions with reference answers, read from any file that [Dataset] reads.
///
/// @param questions at least one, in the file's order
/// @param places    where each of them stands
/// @param skipped   records left out
public record Questions(List<VerifierQuestion> questions, List<Place> places, Skipped skipped) {
    public Questions {
        questions = List.copyOf(questions);
        places = List.copyOf(places);
    }

    /// GSM8K as it comes: `question`, and `answer`, a worked solution whose last line is `#### 42`. The whole of it is
    /// the reference answer, which [Gsm8k] reads.
    ///
    /// @throws DataException if the file cannot be read, or a record is wrong and wrong ones fail
    public static Questions gsm8k(Path path, Wrong wrong) {
        return read(path, "question", "answer", wrong);
    }

    /// MATH as it comes: `problem` and `answer`, which [Boxed] reads. A record may lack its answer.
    ///
    /// @throws DataException if the file cannot be read, or a record is wrong and wrong ones fail
    public static Questions math(Path path, Wrong wrong) {
        return read(path, "problem", "answer", wrong);
    }

    /// Records of a prompt and a reference answer.
    ///
    /// @param promptKey the key of a string or a list of messages, either of which says something
    /// @param answerKey the key of a string
    /// @param wrong     what happens to a record that cannot be used, as one without an answer
    /// @throws DataException if the file cannot be read, or a record is wrong and wrong ones fail
    public static Questions read(Path path, String promptKey, String answerKey, Wrong wrong) {
        ReadOptions options = ReadOptions.strict()
                .withForm(Form.QUESTION)
                .withWrong(wrong)
                .withKeys(Map.of("prompt", promptKey, "completion", answerKey));
        Dataset data = Dataset.read(path, options);
        return new Questions(
                data.examples().stream()
                        .map(example -> (PromptCompletion) example)
                        .map(pair -> new VerifierQuestion(pair.prompt(), text(pair.completion())))
                        .toList(),
                data.places(),
                data.skipped());
    }

    private static String text(Content answer) {
        return switch (answer) {
            case Content.Text(String text) -> text;
            case Content.Messages(var messages) ->
                messages.stream()
                        .filter(message -> message.role().equals(Conversation.ASSISTANT))
                        .map(message -> message.content())
                        .collect(Collectors.joining("\n"));
        };
    }
}
