package dev.kedge.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.kedge.text.Message;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ParquetTest {
    @TempDir
    Path folder;

    private Path written(Path path, String select) throws Exception {
        try (Connection duckdb = DriverManager.getConnection("jdbc:duckdb:");
                Statement statement = duckdb.createStatement()) {
            Path plain = folder.resolve("plain.parquet");
            statement.execute("COPY (" + select + ") TO '" + plain + "' (FORMAT parquet)");
            Files.createDirectories(path.getParent());
            return Files.move(plain, path, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    @Test
    void nestedMessagesTakeTheSameForms() throws Exception {
        Path path = written(folder.resolve("a.parquet"), """
                SELECT [{'role': 'user', 'content': 'a'}] AS prompt,
                  [{'role': 'assistant', 'content': 'b"\\n'}] AS chosen,
                  [{'role': 'assistant', 'content': 'c'}] AS rejected, NULL AS more""");
        assertEquals(
                List.of(new Preference(
                        Content.messages(List.of(new Message("user", "a"))),
                        Content.messages(List.of(new Message("assistant", "b\"\\n"))),
                        Content.messages(List.of(new Message("assistant", "c"))))),
                Dataset.read(path).examples());
    }

    @Test
    void rowsKeepTheirOrderAndTellTheirNumber() throws Exception {
        Path path = written(
                folder.resolve("b.parquet"),
                "SELECT CASE WHEN i = 4999 THEN NULL ELSE 'p' || i END AS prompt FROM range(5000) t(i)");
        Dataset data = Dataset.read(path, ReadOptions.skipping());
        assertEquals(4999, data.examples().size());
        assertEquals(Prompt.of("p1234"), data.examples().get(1234));
        DataException e = assertThrows(
                DataException.class,
                () -> Dataset.read(path, ReadOptions.strict().withForm(Form.PROMPT)));
        assertEquals(
                path + ", row 5000, key \"prompt\": expected a string or a list of messages, found null",
                e.getMessage());
    }

    @Test
    void namesThatLookLikeWildcardsQueriesOrPartitionsAreNames() throws Exception {
        for (String name : List.of("it's [a-z]*?.parquet", "prompt=x/c.parquet", "a'); DROP TABLE t; --.parquet")) {
            Path path = written(folder.resolve(name), "SELECT '" + "p" + "' AS prompt");
            assertEquals(List.of(Prompt.of("p")), Dataset.read(path).examples(), name);
        }
    }

    @Test
    void aPatternInANameMatchesNoOtherFile() throws Exception {
        for (String name : List.of("x[ab].parquet", "x?.parquet", "x*.parquet")) {
            written(folder.resolve("xa.parquet"), "SELECT 'other' AS prompt");
            Path path = written(folder.resolve(name), "SELECT 'own' AS prompt");
            assertEquals(List.of(Prompt.of("own")), Dataset.read(path).examples(), name);
        }
    }
}
