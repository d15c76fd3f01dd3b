package dev.kedge.recipe;

import dev.kedge.data.Tokenized;
import dev.kedge.data.task.Part;
import dev.kedge.data.task.Problem;
import dev.kedge.data.task.Task;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.recipe.rlvr.Question;
import dev.kedge.recipe.rlvr.Score;
import dev.kedge.recipe.rlvr.Scorer;
import dev.kedge.recipe.run.ModelCache;
import dev.kedge.recipe.run.Run;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Rng;
import dev.kedge.text.CharTokenizer;
import dev.kedge.text.Tokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/// Where questions, their verifier and the policy to start from come from.
public sealed interface World {
    /// Opens it: what has to be made first is made here.
    Opened open(Run run, Device device, long seed);

    /// A world to learn in. Questions of the two lists share no prompt.
    ///
    /// @param tokenizer the policy's
    /// @param start     the policy to start from, frozen: the reference
    /// @param training  questions to learn from
    /// @param heldOut   questions to be judged by
    /// @param scorer    who judges
    /// @param maxTokens the longest completion
    record Opened(
            Tokenizer tokenizer,
            Decoder start,
            List<Question> training,
            List<Question> heldOut,
            Scorer scorer,
            int maxTokens)
            implements AutoCloseable {
        @Override
        public void close() {
            start.close();
            tokenizer.close();
        }
    }

    /// A generated task, and a tiny decoder that learnt it from demonstrations of which a share is wrong, so that it
    /// is right sometimes. The decoder is made once and kept beside the runs, in a folder that its configuration
    /// names.
    ///
    /// @param task        what is to be done
    /// @param rightness   share of demonstrations that are right, in (0, 1]
    /// @param hiddenSize  of the decoder
    /// @param layers      of the decoder
    /// @param heads       of the decoder
    /// @param examples    demonstrations
    /// @param pretraining how it is made
    /// @param questions   training questions, at most as many as there are
    /// @param heldOut     questions to be judged by, likewise
    record Generated(
            Task task,
            double rightness,
            int hiddenSize,
            int layers,
            int heads,
            int examples,
            Optimisation pretraining,
            int questions,
            int heldOut)
            implements World {
        public Generated {
            if (!(rightness > 0 && rightness <= 1)) {
                throw new IllegalArgumentException("rightness must be in (0, 1], was " + rightness);
            }
            if (examples < 1 || questions < 1 || heldOut < 2) {
                throw new IllegalArgumentException("examples >= 1, questions >= 1 and held_out >= 2 expected, were "
                        + examples + ", " + questions + " and " + heldOut);
            }
        }

        @Override
        public Opened open(Run run, Device device, long seed) {
            Tokenizer tokenizer = CharTokenizer.of(task.alphabet());
            Path folder = ModelCache.folder(run, this, seed + " " + device);
            if (!Models.isComplete(folder)) {
                pretrain(tokenizer, folder, run, device, seed);
            }
            return new Opened(
                    tokenizer,
                    Models.load(folder, device),
                    questions(tokenizer, Part.TRAIN, questions, seed + 1),
                    questions(tokenizer, Part.HELD_OUT, heldOut, seed + 2),
                    this::score,
                    task.maxCompletionLength() + 1); // and the end
        }

        private void pretrain(Tokenizer tokenizer, Path folder, Run run, Device device, long seed) {
            List<Tokenized> corpus = new ArrayList<>();
            RandomGenerator random = new SplittableRandom(seed);
            for (int i = 0; i < examples; i++) {
                Problem problem = task.sample(random); // of both parts: a start knows a little of everything
                String said = task.demonstration(problem, rightness, random);
                corpus.add(Tokenized.ofReply(tokenizer.encode(problem.prompt()), ended(tokenizer, said)));
            }
            DecoderConfig shape =
                    DecoderConfig.small(tokenizer.vocabularySize(), hiddenSize, layers, heads, positions(tokenizer));
            try (Rng rng = Rng.seeded(seed);
                    Decoder fresh = Decoder.random(shape, 1 / Math.sqrt(hiddenSize), rng, device)) {
                SftRecipe.train(run, "pretraining", fresh, corpus, Models.padId(tokenizer), pretraining, seed);
                Models.save(fresh, tokenizer, folder);
            }
        }

        private int positions(Tokenizer tokenizer) {
            RandomGenerator random = new SplittableRandom(0);
            int longest = 0;
            for (int i = 0; i < 1000; i++) {
                longest = Math.max(longest, tokenizer.encode(task.sample(random).prompt()).length);
            }
            return 2 * longest + task.maxCompletionLength() + 1;
        }

        private static int[] ended(Tokenizer tokenizer, String text) {
            int[] ids = tokenizer.encodeOrdinary(text);
            int[] ended = Arrays.copyOf(ids, ids.length + 1);
            ended[ids.length] = tokenizer.eos().orElseThrow();
            return ended;
        }

        /// Different problems of a part, in random order.
        private List<Question> questions(Tokenizer tokenizer, Part part, int count, long seed) {
            RandomGenerator random = new SplittableRandom(seed);
            Set<Problem> problems = new LinkedHashSet<>();
            for (int tries = 0; problems.size() < count && tries < 100 * count; tries++) {
                problems.add(task.sample(random, part));
            }
            return problems.stream()
                    .map(p -> new Question(tokenizer.encode(p.prompt()), p.prompt(), task.solution(p)))
                    .toList();
        }

        private List<Score> score(List<Question> questions, List<String> completions) {
            List<Score> scores = new ArrayList<>();
            for (int i = 0; i < completions.size(); i++) {
                double reward = task.reward(new Problem(questions.get(i).text()), completions.get(i));
                scores.add(new Score(reward, task.finalAnswer(completions.get(i)), ""));
            }
            return scores;
        }
    }
}
