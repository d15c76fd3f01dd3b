package dev.kedge.recipe.policy;

import dev.kedge.config.ConfigException;
import dev.kedge.config.Kind;
import dev.kedge.data.Content;
import dev.kedge.data.DataException.Place;
import dev.kedge.data.Prompt;
import dev.kedge.data.ReadOptions;
import dev.kedge.data.Split;
import dev.kedge.data.Tokenisation;
import dev.kedge.data.Tokenisation.Tokens;
import dev.kedge.data.Tokenized;
import dev.kedge.data.task.GeneratedTask;
import dev.kedge.data.task.Problem;
import dev.kedge.data.task.ProblemSplit;
import dev.kedge.data.verify.Extraction;
import dev.kedge.data.verify.Program;
import dev.kedge.data.verify.Questions;
import dev.kedge.data.verify.Verification;
import dev.kedge.data.verify.Verifier;
import dev.kedge.data.verify.VerifierQuestion;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.run.ModelCache;
import dev.kedge.run.Run;
import dev.kedge.run.TrainingConfig;
import dev.kedge.sequence.Models;
import dev.kedge.sequence.PretrainedModel;
import dev.kedge.sequence.SequenceReader;
import dev.kedge.sequence.SupervisedTraining;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Streams;
import dev.kedge.text.CharTokenizer;
import dev.kedge.text.ChatTemplate;
import dev.kedge.text.Message;
import dev.kedge.text.Tokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.random.RandomGenerator;

/// Where questions, their verifier and the policy to start from come from.
public sealed interface Environment permits LearnedReward, Environment.File, Environment.Generated {
    /// Opens it: what has to be made first is made here.
    Opened open(Run run, Device device, long seed);

    /// An environment to learn in. Questions of the two lists share no prompt.
    ///
    /// @param model     the policy to start from, frozen: the reference
    /// @param training  questions to learn from
    /// @param heldOut   questions to be evaluated by
    /// @param scorer    who rewards
    /// @param maxTokens the longest completion
    record Opened(PretrainedModel model, List<Question> training, List<Question> heldOut, Scorer scorer, int maxTokens)
            implements AutoCloseable {
        public Tokenizer tokenizer() {
            return model.tokenizer();
        }

        public Decoder start() {
            return model.decoder();
        }

        @Override
        public void close() {
            scorer.close();
            model.close();
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
    /// @param heldOut     questions to be evaluated by, likewise
    /// @param verifier    who rewards; the task itself where there is none
    @Kind("generated")
    record Generated(
            GeneratedTask task,
            double rightness,
            int hiddenSize,
            int layers,
            int heads,
            int examples,
            TrainingConfig pretraining,
            int questions,
            int heldOut,
            Optional<Verification> verifier)
            implements Environment {
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
            run.remark("The start's demonstrations are of all problems, held-out ones among them: held out is from the"
                    + " reinforcement learning.");
            Tokenizer tokenizer = CharTokenizer.of(task.alphabet());
            long stream = Streams.of(seed, "start"); // all that is drawn for it comes from this
            Path folder = ModelCache.folder(run, this, stream + " " + device);
            if (!Models.isComplete(folder)) {
                pretrain(tokenizer, folder, run, device, stream);
            }
            return new Opened(
                    PretrainedModel.open(folder, device),
                    questions(tokenizer, ProblemSplit.TRAIN, questions, Streams.of(seed, "questions")),
                    questions(tokenizer, ProblemSplit.HELD_OUT, heldOut, Streams.of(seed, "held-out questions")),
                    Scorer.of(verifier.orElse(new Program(task)).verifier(), task::finalAnswer),
                    task.maxCompletionLength() + 1); // and the end
        }

        private void pretrain(Tokenizer tokenizer, Path folder, Run run, Device device, long seed) {
            List<Tokenized> corpus = new ArrayList<>();
            RandomGenerator random = new SplittableRandom(Streams.of(seed, "corpus"));
            for (int i = 0; i < examples; i++) {
                Problem problem = task.sample(random); // of both splits: a start knows a little of everything
                String said = task.demonstration(problem, rightness, random);
                corpus.add(Tokenized.ofReply(tokenizer.encode(problem.prompt()), ended(tokenizer, said)));
            }
            DecoderConfig shape =
                    DecoderConfig.small(tokenizer.vocabularySize(), hiddenSize, layers, heads, positions(tokenizer));
            try (Rng rng = Rng.seeded(Streams.of(seed, "weights"));
                    Decoder fresh = Decoder.random(shape, 1 / Math.sqrt(hiddenSize), rng, device)) {
                long order = Streams.of(seed, "order");
                SupervisedTraining.train(
                        run, "pretraining", fresh, corpus, Models.padId(tokenizer), pretraining, order);
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

        /// Different problems of a split, in random order.
        private List<Question> questions(Tokenizer tokenizer, ProblemSplit split, int count, long stream) {
            RandomGenerator random = new SplittableRandom(stream);
            Set<Problem> problems = new LinkedHashSet<>();
            for (int tries = 0; problems.size() < count && tries < 100 * count; tries++) {
                problems.add(task.sample(random, split));
            }
            return problems.stream()
                    .map(p -> Question.of(p.prompt(), task.solution(p), tokenizer))
                    .toList();
        }
    }

    /// Questions with reference answers from a file, and a model that the user brings.
    ///
    /// @param model     the folder or file to start from
    /// @param data      records of a question and its answer
    /// @param question  the key of the question in a record
    /// @param answer    the key of the answer
    /// @param prompt    how a question is put, `{question}` standing for it; where there is none, as it stands. A
    ///                  question of messages goes through the model's chat template, with the user's last message
    ///                  put so; one that is text goes through none
    /// @param verifier  who rewards
    /// @param vote      how an answer is read off a completion for a vote
    /// @param maxTokens the longest completion, >= 1
    /// @param questions training questions, at most as many as there are
    /// @param heldOut   questions to be evaluated by, >= 2; as near to it as whole prompts come, as those of one
    ///                  prompt stay on one side
    @Kind("file")
    record File(
            Path model,
            Path data,
            String question,
            String answer,
            Optional<String> prompt,
            Verification verifier,
            Extraction vote,
            int maxTokens,
            int questions,
            int heldOut)
            implements Environment {
        private static final String PLACE = "{question}";

        public File {
            if (maxTokens < 1 || questions < 1 || heldOut < 2) {
                throw new IllegalArgumentException("max_tokens >= 1, questions >= 1 and held_out >= 2 expected, were "
                        + maxTokens + ", " + questions + " and " + heldOut);
            }
            if (prompt.isPresent() && !prompt.get().contains(PLACE)) {
                throw new IllegalArgumentException("prompt must contain " + PLACE + ", was \"" + prompt.get() + "\"");
            }
        }

        @Override
        public Opened open(Run run, Device device, long seed) {
            Verifier opened = verifier.verifier(); // whatever is wrong with it is said before anything is loaded
            Questions read = Questions.read(data, question, answer, ReadOptions.Wrong.SKIP);
            read.skipped().lines().forEach(line -> run.note("left out: " + line));
            PretrainedModel start = PretrainedModel.open(model, device);
            List<Question> asked =
                    asked(read, start.tokenizer(), start.decoder().config().maxPositions(), run);
            if (asked.size() < heldOut + 1) {
                throw new ConfigException("held_out is " + heldOut + ", but " + data + " has only " + asked.size()
                        + " questions that can be asked; more questions, fewer held out, or a model with more positions"
                        + " would be right");
            }
            List<Question> shuffled = new ArrayList<>(asked);
            Collections.shuffle(shuffled, new SplittableRandom(Streams.of(seed, "order of questions")));
            Split<Question> split = split(shuffled, run);
            List<Question> training =
                    split.train().subList(0, Math.min(split.train().size(), questions));
            return new Opened(start, training, split.heldOut(), Scorer.of(opened, vote::of), maxTokens);
        }

        /// The first ones are held out; those of one prompt stay on one side.
        private Split<Question> split(List<Question> asked, Run run) {
            Function<Question, Tokenized> prompt = question -> Tokenized.ofPrompt(question.prompt());
            boolean several = SequenceReader.remarkRepeats(asked, prompt, data, run);
            return Split.first(asked, several ? prompt : Function.identity(), heldOut);
        }

        /// The questions that can be asked and leave the model room to answer.
        private List<Question> asked(Questions read, Tokenizer tokenizer, int positions, Run run) {
            List<VerifierQuestion> all = read.questions();
            Optional<ChatTemplate> chat = Models.chatTemplate(model);
            if (chat.isPresent() && all.stream().anyMatch(q -> q.question() instanceof Content.Text)) {
                run.note("questions that are text are asked as they stand; those that are messages would go through the"
                        + " model's chat template");
            }
            var tokenisation =
                    Tokenisation.ofPrompts(tokenizer, chat.or(() -> Optional.of(ChatTemplate.HUMAN_ASSISTANT)));
            List<Prompt> worded =
                    all.stream().map(q -> new Prompt(worded(q.question()))).toList();
            Tokens<int[]> prompts = tokenisation.prompts(worded, read.places(), ReadOptions.Wrong.SKIP);
            prompts.skipped().lines().forEach(line -> run.note("left out: " + line));
            List<Question> asked = new ArrayList<>();
            List<Place> tooLong = new ArrayList<>();
            for (int i = 0; i < prompts.items().size(); i++) {
                int source = prompts.sources()[i];
                if (prompts.items().get(i).length + maxTokens <= positions) {
                    asked.add(new Question(prompts.items().get(i), all.get(source)));
                } else {
                    tooLong.add(read.places().get(source));
                }
            }
            if (!tooLong.isEmpty()) {
                run.note("left out: " + tooLong.size() + " questions that with " + maxTokens
                        + " tokens of an answer do not fit the model's " + positions + " positions (first at "
                        + tooLong.getFirst() + ")");
            }
            return asked;
        }

        /// A question as `prompt` puts it: of messages, the user's last one.
        private Content worded(Content question) {
            return switch (question) {
                case Content.Text(String text) -> Content.text(worded(text));
                case Content.Messages(List<Message> messages) -> {
                    List<Message> worded = new ArrayList<>(messages);
                    for (int i = worded.size() - 1; i >= 0; i--) {
                        Message said = worded.get(i);
                        if (said.role().equals("user")) {
                            worded.set(i, new Message(said.role(), worded(said.content())));
                            break;
                        }
                    }
                    yield Content.messages(worded);
                }
            };
        }

        private String worded(String question) {
            return prompt.orElse(PLACE).replace(PLACE, question);
        }
    }
}
