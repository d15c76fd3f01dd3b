package dev.kedge.recipe.preference;

import dev.kedge.data.Tokenized;
import dev.kedge.data.TokenizedPair;
import dev.kedge.env.PreferenceOracle;
import dev.kedge.env.PreferenceOracle.AnswerPair;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.run.Run;
import dev.kedge.run.TrainingConfig;
import dev.kedge.sequence.Models;
import dev.kedge.sequence.PreferenceLoss;
import dev.kedge.sequence.PreferenceTraining;
import dev.kedge.sequence.ScoredPairs;
import dev.kedge.sequence.SequenceScores;
import dev.kedge.text.Tokenizer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A judge who learnt from preferences: Bradley-Terry, `P(y > z) = σ(r(y) - r(z))`, with the implicit reward of a
/// decoder, `r(y) = beta·log π(y)/ref(y)`. Maximum likelihood of that is DPO (arXiv:2305.18290), so that learning a
/// judge needs nothing of its own.
///
/// No reward can go round in a circle: of preferences that do, it learns the nearest that do not.
///
/// @param model     what was learnt
/// @param reference what it began from
/// @param beta      with which it was learnt, > 0
/// @param padId     fills batches
record LearnedOracle(Decoder model, Decoder reference, double beta, int padId) implements PreferenceOracle {
    /// The decoder of a judge, learnt here from pairs, or read where the run has made it already.
    static Decoder learn(
            Run run,
            Decoder reference,
            List<TokenizedPair> pairs,
            double beta,
            Tokenizer tokenizer,
            TrainingConfig config,
            long seed) {
        int padId = Models.padId(tokenizer);
        return Models.trainedOnce(
                run.folder().resolve("judge"),
                reference,
                tokenizer,
                judge -> PreferenceTraining.train(
                        run,
                        "judge",
                        judge,
                        ScoredPairs.of(reference, pairs, padId),
                        new PreferenceLoss.Sigmoid(beta),
                        config,
                        seed));
    }

    @Override
    public double[] firstWins(List<AnswerPair> pairs) {
        Map<Tokenized, Integer> places = new LinkedHashMap<>(); // an answer that is there often is scored once
        int[][] of = new int[pairs.size()][2];
        for (int i = 0; i < of.length; i++) {
            AnswerPair pair = pairs.get(i);
            of[i][0] = place(places, Tokenized.ofReply(pair.prompt(), pair.first()));
            of[i][1] = place(places, Tokenized.ofReply(pair.prompt(), pair.second()));
        }
        List<Tokenized> answers = new ArrayList<>(places.keySet());
        double[] now = SequenceScores.of(model, answers, padId, 1.0);
        double[] ref = SequenceScores.of(reference, answers, padId, 1.0);
        double[] wins = new double[of.length];
        for (int i = 0; i < wins.length; i++) {
            int first = of[i][0];
            int second = of[i][1];
            double margin = beta * ((now[first] - ref[first]) - (now[second] - ref[second]));
            wins[i] = 1 / (1 + Math.exp(-margin));
        }
        return wins;
    }

    private static int place(Map<Tokenized, Integer> places, Tokenized answer) {
        return places.computeIfAbsent(answer, _ -> places.size());
    }
}
