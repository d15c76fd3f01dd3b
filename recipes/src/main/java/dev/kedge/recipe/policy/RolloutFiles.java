package dev.kedge.recipe.policy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.kedge.nn.lm.Generator.Completion;
import dev.kedge.nn.lm.Generator.StopReason;
import dev.kedge.run.Durable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/// Rollouts on disk, a file each time, a completion a line, so that a run which learns from them for several
/// steps can be killed in between. Numbers are written so that they come back as they were.
///
/// @param folder where they lie
public record RolloutFiles(Path folder) {
    private static final ObjectMapper JSON = new ObjectMapper();

    /// A completion.
    ///
    /// @param question its place among all
    /// @param reason   why it ended
    /// @param answer   null where none was found
    /// @param truth    null where the reward is no proxy
    private record Line(
            int question,
            int[] tokens,
            float[] logProbs,
            float[] entropies,
            StopReason reason,
            double reward,
            String answer,
            String failure,
            Double truth) {}

    private Path path(long number) {
        return folder.resolve("rollouts-" + number + ".jsonl");
    }

    /// @param number   by which they are read again
    /// @param all      the questions among which theirs are
    public void write(int number, Rollouts rollouts, List<Question> all) {
        Map<Question, Integer> places = new IdentityHashMap<>();
        for (int i = 0; i < all.size(); i++) {
            places.put(all.get(i), i);
        }
        Path path = path(number);
        StringBuilder lines = new StringBuilder();
        try {
            for (int i = 0; i < rollouts.completions().size(); i++) {
                Completion c = rollouts.completions().get(i);
                Score score = rollouts.scores().get(i);
                Line line = new Line(
                        places.get(rollouts.questions().get(i / rollouts.group())),
                        c.tokens(),
                        c.logProbs(),
                        c.entropies(),
                        c.reason(),
                        score.reward(),
                        score.answer().orElse(null),
                        score.failure(),
                        score.isProxy() ? score.truth().getAsDouble() : null);
                lines.append(JSON.writeValueAsString(line)).append('\n');
            }
            Files.createDirectories(folder);
            Durable.write(path, lines.toString().getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(path + ": the rollouts cannot be written: " + e, e);
        }
    }

    /// The rollouts as they were, but for the seconds that they took.
    ///
    /// @throws IllegalStateException if they are damaged
    public Rollouts read(int number, Sampler sampler, List<Question> all) {
        Path path = path(number);
        try {
            List<Question> questions = new ArrayList<>();
            List<Completion> completions = new ArrayList<>();
            List<Score> scores = new ArrayList<>();
            for (String text : Files.readAllLines(path)) {
                Line line = JSON.readValue(text, Line.class);
                if (completions.size() % sampler.group() == 0) {
                    questions.add(all.get(line.question));
                }
                completions.add(
                        new Completion(questions.size() - 1, line.tokens, line.logProbs, line.entropies, line.reason));
                OptionalDouble truth = line.truth == null ? OptionalDouble.empty() : OptionalDouble.of(line.truth);
                scores.add(new Score(line.reward, Optional.ofNullable(line.answer), line.failure, truth));
            }
            return new Rollouts(sampler, questions, completions, scores, 0, 0);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(path + ": is damaged: " + e.getOriginalMessage(), e);
        } catch (IOException e) {
            throw new UncheckedIOException(path + ": the rollouts cannot be read: " + e, e);
        }
    }

    /// Removes those before a number: nothing goes back to them.
    public void forget(long before) {
        if (!Files.isDirectory(folder)) {
            return;
        }
        try (var files = Files.list(folder)) {
            for (Path file : files.filter(f -> number(f) < before).toList()) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(folder + ": old rollouts cannot be removed: " + e, e);
        }
    }

    private static long number(Path file) {
        String name = file.getFileName().toString();
        return name.matches("rollouts-[0-9]+\\.jsonl")
                ? Long.parseLong(name.substring("rollouts-".length(), name.length() - ".jsonl".length()))
                : Long.MAX_VALUE; // not ours
    }
}
