package dev.kedge.sequence;

import dev.kedge.nn.lm.Decoder;
import dev.kedge.run.Run;
import dev.kedge.text.Tokenizer;
import java.nio.file.Path;
import java.util.function.BiConsumer;

/// The policies of a run, such as one for each strength: each is trained once and kept in `policies/NAME`.
///
/// @param reference what each starts from
public record TrainedPolicies(Run run, Decoder reference, Tokenizer tokenizer) {
    /// A policy that is trained here, or read where the run has made it already; the caller closes it.
    ///
    /// @param training moves a copy of the reference, given the name of its phase
    public Decoder trained(String name, BiConsumer<String, Decoder> training) {
        return Models.trainedOnce(folder(name), reference, tokenizer, policy -> training.accept(phase(name), policy));
    }

    /// A policy that was trained; the caller closes it.
    public Decoder load(String name) {
        return Models.load(folder(name), reference.device());
    }

    /// A policy as it learns, by the name of its phase.
    ///
    /// @param every steps between two snapshots, >= 1
    /// @param last  steps in all
    public Snapshots snapshots(String name, int every, int last) {
        return new Snapshots(folder(phase(name)), "step", every, last, tokenizer);
    }

    /// What a policy's phase is called: strengths in names have points, names of metrics do not.
    public static String phase(String name) {
        return name.replace('.', '_');
    }

    private Path folder(String name) {
        return run.folder().resolve("policies").resolve(name);
    }
}
