package dev.kedge.data.fetch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.data.fetch.Entry.Item;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Downloads from a server on this machine that misbehaves as told, and copies from a mirror.
class FetchedTest {
    @TempDir
    Path temporary;

    private final byte[] content = new byte[300_000];
    private Publisher publisher;
    private Network network;
    private Path folder;
    private Path target;

    @BeforeEach
    void open() throws IOException {
        new Random(1).nextBytes(content);
        publisher = new Publisher(content);
        network = new Network(Map.of(), Duration.ofMillis(1), Duration.ofSeconds(10));
        folder = temporary.resolve("fetched");
        target = folder.resolve("set/part/a.bin");
    }

    @AfterEach
    void close() {
        network.close();
        publisher.close();
    }

    private static Item item(byte[] content, Optional<URI> address) {
        return new Item("part/a.bin", content.length, Publisher.sha256(content), address, true);
    }

    private Fetched fetched(Item item, Path... mirrors) {
        Entry entry = new Entry("set", "A set.", "MIT", "Its maker.", List.of(item));
        return new Fetched(new Registry(List.of(entry)), folder, List.of(mirrors));
    }

    private Fetched published(Path... mirrors) {
        return fetched(item(content, Optional.of(publisher.address())), mirrors);
    }

    private int fetch(Fetched fetched) {
        return fetched.fetch(fetched.registry().entries().getFirst(), network, (_, _) -> assertNothingHalf());
    }

    /// Under its final name the file is whole or not there.
    private void assertNothingHalf() {
        try {
            assertTrue(!Files.exists(target) || Files.size(target) == content.length);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private String refused(Fetched fetched) {
        String message =
                assertThrows(FetchException.class, () -> fetch(fetched)).getMessage();
        assertEquals(1, message.lines().count(), message);
        assertFalse(Files.exists(target));
        return message;
    }

    /// The files there are, without folders.
    private List<Path> files() throws IOException {
        if (!Files.exists(folder)) {
            return List.of();
        }
        try (Stream<Path> all = Files.walk(folder)) {
            return all.filter(Files::isRegularFile).toList();
        }
    }

    private void assertWhole() throws IOException {
        assertArrayEquals(content, Files.readAllBytes(target));
        assertEquals(List.of(target), files());
    }

    @Test
    void aWholeDownload() throws IOException {
        Fetched fetched = published();
        Entry entry = fetched.registry().entries().getFirst();
        assertEquals(Fetched.State.ABSENT, fetched.state(entry));
        assertEquals(1, fetch(fetched));
        assertWhole();
        assertEquals(Fetched.State.HERE, fetched.state(entry));
        assertEquals(List.of(""), publisher.ranges());
        assertEquals(0, fetch(fetched));
        assertEquals(1, publisher.ranges().size(), "what is here is not asked for again");
    }

    @Test
    void progressNeverGoesBackAndEndsAtTheSize() {
        long[] last = {0};
        Fetched fetched = published();
        fetched.fetch(fetched.registry().entries().getFirst(), network, (_, bytes) -> {
            assertTrue(bytes >= last[0]);
            last[0] = bytes;
        });
        assertEquals(content.length, last[0]);
    }

    @Test
    void aCutConnectionGoesOnWhereItStood() throws IOException {
        publisher.cutAfter(100_000);
        fetch(published());
        assertWhole();
        assertEquals(2, publisher.ranges().size());
        String range = publisher.ranges().getLast();
        long from = Long.parseLong(range.substring("bytes=".length(), range.length() - 1));
        assertTrue(from > 0 && from <= 100_000, range);
    }

    @Test
    void alwaysCutItAsksOnAsLongAsSomethingComes() throws IOException {
        publisher.cutAlwaysAfter(40_000);
        fetch(published());
        assertWhole();
        assertTrue(publisher.ranges().size() >= 8, publisher.ranges().toString());
    }

    @Test
    void aServerThatGivesNothingEndsItAndWhatCameStays() throws IOException {
        publisher.cutAfter(100_000);
        publisher.failAfterwards(503);
        String message = refused(published());
        assertTrue(message.contains("503") && message.contains("what has come is kept"), message);
        assertEquals(4, publisher.ranges().size());
        Path part = target.resolveSibling("a.bin.part");
        assertEquals(List.of(part), files());
        byte[] kept = Files.readAllBytes(part);
        assertTrue(kept.length > 0);
        publisher.behave();
        fetch(published());
        assertWhole();
        assertEquals("bytes=" + kept.length + "-", publisher.ranges().getLast());
    }

    @Test
    void aServerThatIgnoresRangesIsReadFromTheStart() throws IOException {
        publisher.cutAfter(100_000);
        publisher.ignoreRanges();
        fetch(published());
        assertWhole();
    }

    @Test
    void aServerThatFallsSilentIsAskedAgain() throws IOException {
        network.close();
        network = new Network(Map.of(), Duration.ofMillis(1), Duration.ofSeconds(2));
        publisher.stallAfter(100_000);
        fetch(published());
        assertWhole();
        assertTrue(publisher.ranges().size() >= 2);
    }

    @Test
    void otherBytesAreNotKept() throws IOException {
        byte[] other = content.clone();
        other[200_000]++;
        String message = refused(fetched(item(other, Optional.of(publisher.address()))));
        assertTrue(message.contains(Publisher.sha256(other)), message);
        assertTrue(message.contains(Publisher.sha256(content)), message);
        assertEquals(List.of(), files());
    }

    @Test
    void moreBytesOrFewerAreNotKept() throws IOException {
        byte[] shorter = java.util.Arrays.copyOf(content, 250_000);
        assertTrue(refused(fetched(item(shorter, Optional.of(publisher.address()))))
                .contains("250000"));
        assertEquals(List.of(), files());
        byte[] longer = java.util.Arrays.copyOf(content, 350_000);
        assertTrue(
                refused(fetched(item(longer, Optional.of(publisher.address())))).contains("300000"));
        assertEquals(List.of(), files());
    }

    @Test
    void aPartOfOtherBytesIsFoundOut() throws IOException {
        Files.createDirectories(target.getParent());
        Files.write(target.resolveSibling("a.bin.part"), new byte[1000]);
        assertTrue(refused(published()).contains("sha256"));
        assertEquals(List.of(), files());
        fetch(published());
        assertWhole();
    }

    @Test
    void anAddressWithoutAFile() throws IOException {
        String message =
                refused(fetched(item(content, Optional.of(publisher.address().resolve("/elsewhere")))));
        assertTrue(message.contains("/elsewhere answers with status 404"), message);
        assertEquals(1, publisher.ranges().size(), "not asked again");
        assertEquals(List.of(), files());
    }

    @Test
    void aServerThatIsNotThere() throws IOException {
        URI address = publisher.address();
        publisher.close();
        assertTrue(refused(fetched(item(content, Optional.of(address)))).contains("cannot be reached"));
        assertEquals(List.of(), files());
    }

    @Test
    void redirectionsAreFollowed() throws IOException {
        fetch(fetched(item(content, Optional.of(publisher.address().resolve("/moved")))));
        assertWhole();
    }

    @Test
    void aFileWithOtherBytesIsFetchedAgain() throws IOException {
        Files.createDirectories(target.getParent());
        Files.write(target, new byte[content.length]);
        fetch(published());
        assertWhole();
    }

    @Test
    void aProxyIsAsked() throws IOException {
        network.close();
        String proxy = "http://" + publisher.address().getAuthority();
        network = new Network(Map.of("http_proxy", proxy), Duration.ofMillis(1), Duration.ofSeconds(10));
        fetch(fetched(item(content, Optional.of(URI.create("http://publisher.invalid/a.bin")))));
        assertWhole();
        assertEquals(List.of("http://publisher.invalid/a.bin"), publisher.asked());
    }

    private Path mirror(byte[] bytes) throws IOException {
        Path mirror = temporary.resolve("mirror");
        Files.createDirectories(mirror.resolve("set/part"));
        Files.write(mirror.resolve("set/part/a.bin"), bytes);
        return mirror;
    }

    @Test
    void aMirrorComesBeforeTheNetwork() throws IOException {
        fetch(published(temporary.resolve("nowhere"), mirror(content)));
        assertWhole();
        assertEquals(List.of(), publisher.ranges());
    }

    @Test
    void aMirrorWithOtherBytes() throws IOException {
        byte[] other = content.clone();
        other[0]++;
        String message = refused(published(mirror(other)));
        assertTrue(message.contains(Publisher.sha256(content)) && message.contains(Publisher.sha256(other)), message);
        assertEquals(List.of(), files());
    }

    @Test
    void whatOnlyAMirrorHasSaysSo() throws IOException {
        String message = refused(fetched(item(content, Optional.empty())));
        assertTrue(message.contains("--mirror DIR") && message.contains("Its maker."), message);
        fetch(fetched(item(content, Optional.empty()), mirror(content)));
        assertWhole();
    }

    @Test
    void whatOnlyAMirrorHasComesLast() throws IOException {
        Item item = item(content, Optional.of(publisher.address()));
        Item before = new Item("b.bin", 1, "0".repeat(64), Optional.empty(), false);
        Entry entry = new Entry("set", "A set.", "MIT", "Its maker.", List.of(before, item));
        Fetched fetched = new Fetched(new Registry(List.of(entry)), folder, List.of());
        assertThrows(FetchException.class, () -> fetch(fetched));
        assertWhole();
        assertEquals(Fetched.State.PARTLY, fetched.state(entry));
    }

    @Test
    void whoAsksForAPathGetsItFromAMirror() throws IOException {
        published(mirror(content)).require(target);
        assertWhole();
    }

    @Test
    void whoAsksForAFolderGetsItFromAMirror() throws IOException {
        published(mirror(content)).require(folder.resolve("set"));
        assertWhole();
    }

    @Test
    void whoAsksForAPathNeverUsesTheNetwork() throws IOException {
        FetchException missing =
                assertThrows(FetchException.class, () -> published().require(target));
        assertEquals(target + ": is not there; run: ./kedge fetch set", missing.getMessage());
        assertEquals(List.of(), publisher.ranges());
        Files.createDirectories(target.getParent());
        missing = assertThrows(FetchException.class, () -> published().require(folder.resolve("set")));
        assertEquals(folder.resolve("set") + ": lacks part/a.bin; run: ./kedge fetch set", missing.getMessage());
        Files.write(target, content);
        published().require(target);
        published().require(folder.resolve("set"));
    }

    @Test
    void pathsOfNoEntryAreLeftAlone() {
        published().require(folder.resolve("set/other.bin"));
        published().require(temporary.resolve("a.bin"));
        assertEquals(Path.of("no", "such"), Fetched.resolve(Path.of("no", "such")));
    }

    @Test
    void aMirrorThatIsNoFolderIsRefused() {
        Path nowhere = temporary.resolve("nowhere");
        String message = assertThrows(
                        IllegalArgumentException.class, () -> Fetched.here(Map.of(), Optional.of(nowhere)))
                .getMessage();
        assertEquals("--mirror: " + nowhere + " is no folder", message);
        message = assertThrows(
                        IllegalArgumentException.class,
                        () -> Fetched.here(Map.of("KEDGE_MIRROR", nowhere.toString()), Optional.empty()))
                .getMessage();
        assertEquals("KEDGE_MIRROR: " + nowhere + " is no folder", message);
        assertEquals(
                temporary,
                Fetched.here(Map.of("KEDGE_MIRROR", temporary.toString()), Optional.empty())
                        .mirrors()
                        .getFirst());
    }
}
