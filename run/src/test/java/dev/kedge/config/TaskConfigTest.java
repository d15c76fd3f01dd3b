package dev.kedge.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.kedge.data.task.Arithmetic;
import dev.kedge.data.task.Brackets;
import dev.kedge.data.task.ChainOfThought;
import dev.kedge.data.task.Copying;
import dev.kedge.data.task.Countdown;
import dev.kedge.data.task.GeneratedTask;
import dev.kedge.data.task.Grading;
import dev.kedge.data.task.ScratchSum;
import dev.kedge.data.task.Sorting;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// A recipe names a task by its kind: a component of type [GeneratedTask] is all that its configuration needs.
class TaskConfigTest {
    record Config(GeneratedTask task) {}

    private static GeneratedTask read(String task, String... overrides) {
        return ConfigFile.parse("r.yaml", "recipe: r\ntask: " + task + "\n", List.of(overrides))
                .as(Config.class)
                .task();
    }

    static Stream<Arguments> named() {
        return Stream.of(
                Arguments.of("{kind: arithmetic, max: 99, difference: false}", new Arithmetic(99, false)),
                Arguments.of("{kind: brackets, kinds: 2, max_depth: 4, max_pairs: 3}", new Brackets(2, 4, 3)),
                Arguments.of("{kind: chain_of_thought, terms: 3, max: 9}", new ChainOfThought(3, 9)),
                Arguments.of(
                        "{kind: copying, symbols: abc, shortest: 1, longest: 4, reversed: true}",
                        new Copying("abc", 1, 4, true)),
                Arguments.of("{kind: countdown, numbers: 4, max: 12}", new Countdown(4, 12)),
                Arguments.of("{kind: scratch_sum}", new ScratchSum()),
                Arguments.of("{kind: scratch_sum, format_reward: 0.5}", new ScratchSum(Optional.of(0.5))),
                Arguments.of("{kind: sorting, symbols: \"123\", shortest: 2, longest: 5}", new Sorting("123", 2, 5)),
                Arguments.of(
                        "{kind: grading, task: {kind: arithmetic, max: 20, difference: true}}",
                        new Grading(new Arithmetic(20, true))));
    }

    @ParameterizedTest
    @MethodSource("named")
    void everyTaskIsReadAndWritten(String yaml, GeneratedTask task) {
        assertEquals(task, read(yaml));
        String text = ConfigFile.text("r", new Config(task));
        assertEquals(
                task,
                ConfigFile.parse("r.yaml", text, List.of()).as(Config.class).task());
    }

    @Test
    void aTaskIsGradedByAnOverride() {
        assertEquals(new ChainOfThought(5, 9), read("{kind: chain_of_thought, terms: 3, max: 9}", "task.terms=5"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', textBlock = """
                    {kind: chain_of_thought, terms: 1, max: 9} | 2:39: terms must be from 2 to 9, was 1
                    {kind: countdown, numbers: 4, max: 500} | 2:42: max must be from 2 to 99, was 500
                    {kind: countdown, number: 4, max: 9} | 2:25: unknown key `task.number`; did you mean `numbers`? \
                    valid here: `numbers`, `max`
                    {kind: scratchsum} | 2:14: `task.kind` cannot be "scratchsum"; did you mean `scratch_sum`? \
                    valid here: `arithmetic`, `brackets`, `chain_of_thought`, `copying`, `countdown`, `grading`, \
                    `scratch_sum`, `sorting`
                    """)
    void aWrongTaskIsReportedAtItsPlace(String yaml, String message) {
        assertEquals(
                "r.yaml:" + message,
                assertThrows(ConfigException.class, () -> read(yaml)).getMessage());
    }
}
