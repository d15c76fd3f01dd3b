package dev.kedge.stress;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// A recipe of a few seconds: what writes every kind of file that a long one writes.
///
/// @param name   of the recipe, as `./kedge run` takes it
/// @param values `key=value`, in place of the recipe's own
record ShortRun(String name, List<String> values) {
    private static final List<String> SUMS = List.of(
            "task.max_operand=9",
            "task.hidden_size=16",
            "task.layers=1",
            "task.heads=2",
            "task.examples=2000",
            "task.held_out=8",
            "task.pretraining.steps=60",
            "task.pretraining.warmup_steps=0",
            "task.pretraining.checkpoint_every=20");

    private static final List<String> STEPS = List.of(
            "training.steps=6",
            "training.warmup_steps=0",
            "training.batch_size=8",
            "training.micro_batch=4",
            "training.checkpoint_every=2");

    /// Preferences, learning from a verifier, games, texts by enumeration, fine-tuning on files.
    ///
    /// @param files where the last one's model and data are
    static List<ShortRun> all(Path files) {
        return List.of(
                of("quickstart", SUMS, STEPS, List.of("prompts=16", "answers=8", "betas=[1.0]")),
                of(
                        "grpo",
                        STEPS,
                        List.of(
                                "environment.hidden_size=16",
                                "environment.layers=1",
                                "environment.heads=2",
                                "environment.examples=500",
                                "environment.pretraining.steps=8",
                                "environment.pretraining.warmup_steps=0",
                                "environment.held_out=4",
                                "group=4",
                                "samples=4",
                                "snapshot_every=3")),
                of("egpo", SUMS, STEPS, List.of("methods=[egpo]", "snapshot_every=6")),
                of(
                        "rl-kl-bayes",
                        STEPS,
                        List.of(
                                "language.letters=3",
                                "language.length=4",
                                "language.hidden_size=16",
                                "language.pretraining.steps=20",
                                "language.pretraining.warmup_steps=0",
                                "evaluate_every=3",
                                "distinct=20")),
                of(
                        "sft",
                        STEPS,
                        List.of(
                                "model=" + files.resolve("model"),
                                "data=" + files.resolve("data.jsonl"),
                                "held_out=8")));
    }

    @SafeVarargs
    private static ShortRun of(String name, List<String>... values) {
        return new ShortRun(name, Stream.of(values).flatMap(List::stream).toList());
    }

    /// The arguments of a run into a folder, which goes on where there is one.
    List<String> arguments(String folder) {
        List<String> arguments = new ArrayList<>(List.of("run", name, "--quiet", "--out", folder));
        arguments.addAll(values);
        return arguments;
    }
}
