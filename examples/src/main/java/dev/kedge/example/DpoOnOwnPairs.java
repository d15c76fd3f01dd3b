package dev.kedge.example;

import dev.kedge.data.Preference;
import dev.kedge.data.PreferenceBatch;
import dev.kedge.data.ReadOptions.Wrong;
import dev.kedge.data.TokenBatch;
import dev.kedge.data.Tokenisation;
import dev.kedge.data.TokenizedPair;
import dev.kedge.data.Truncation;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.nn.optim.AdamW;
import dev.kedge.objective.logprob.HeadLogProbs;
import dev.kedge.objective.preference.Dpo;
import dev.kedge.objective.preference.PreferenceLogProbs;
import dev.kedge.sequence.SequenceScores;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import dev.kedge.text.CharTokenizer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// DPO (arXiv:2305.18290) of a language model on pairs that the program brings along.
///
/// For a model from disk take `Models.load(folder, device)` and `Tokenizer.load(folder)`; the rest stays as it is.
public final class DpoOnOwnPairs {
    private static final double BETA = 0.1;

    private DpoOnOwnPairs() {}

    public static void main(String[] args) {
        List<Preference> preferences =
                List.of(Preference.of("is water wet? ", "yes.", "no."), Preference.of("is fire cold? ", "no.", "yes."));
        System.out.println(Arrays.toString(learn(preferences, 30)));
    }

    /// By how much more than its reference the policy prefers the chosen reply of each pair after so many steps: nats.
    public static double[] learn(List<Preference> preferences, int steps) {
        try (CharTokenizer tokenizer = CharTokenizer.of("abcdefghijklmnopqrstuvwxyz ?.");
                Scope _ = new Scope()) {
            List<TokenizedPair> pairs = new Tokenisation(tokenizer, Optional.empty(), 64, Truncation.DROP)
                    .pairs(preferences, Wrong.FAIL)
                    .items();
            int pad = tokenizer.pad().orElseThrow();
            Decoder policy = Decoder.random(
                    DecoderConfig.small(tokenizer.vocabularySize(), 32, 2, 2, 64), Rng.seeded(1), Device.CPU);
            double[][] reference = SequenceScores.ofPairs(policy, pairs, pad); // before anything moves: [2][pairs]
            try (var _ = policy.parameters();
                    AdamW optimizer = new AdamW(policy.parameters(), AdamW.Config.DEFAULT)) {
                for (int step = 0; step < steps; step++) {
                    step(policy, pairs, reference, pad);
                    policy.parameters().clipGradient(1.0);
                    optimizer.step(1e-3);
                }
                double[][] now = SequenceScores.ofPairs(policy, pairs, pad);
                double[] margins = new double[pairs.size()];
                Arrays.setAll(margins, i -> now[0][i] - reference[0][i] - (now[1][i] - reference[1][i]));
                return margins;
            }
        }
    }

    private static void step(Decoder policy, List<TokenizedPair> pairs, double[][] reference, int pad) {
        try (Scope _ = new Scope()) {
            TokenBatch batch = PreferenceBatch.of(pairs, pad, 1).sequences(); // all chosen replies, then all rejected
            HeadLogProbs logProbs = SequenceScores.sums(policy, batch, 1.0);
            Tensor sums = SequenceScores.rowSums(logProbs.values(), batch);
            int n = pairs.size();
            PreferenceLogProbs lp = new PreferenceLogProbs(
                    sums.narrow(0, 0, n),
                    sums.narrow(0, n, n),
                    Tensor.of(reference[0]).to(sums.dtype()),
                    Tensor.of(reference[1]).to(sums.dtype()));
            Dpo.dpo(lp, BETA, n).value().backward(); // down to the log-probs,
            logProbs.backward(); // and through the head into the model
        }
    }
}
