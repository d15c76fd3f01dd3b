package dev.kedge.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class StopTextsTest {
    private final StopTexts stops = new StopTexts(List.of("END", "Ende…", "\n\n"));

    @Test
    void cutsBeforeTheFirst() {
        assertEquals("a ", stops.cut("a Ende… b END"));
        assertEquals("", stops.cut("END"));
        assertEquals("EN D", stops.cut("EN D"));
        assertTrue(stops.endIn("a\n\nb"));
        assertFalse(stops.endIn("a\nb"));
        assertEquals("a", new StopTexts(List.of()).certain("a"));
    }

    @Test
    void whatMayYetBecomeOneWaits() {
        assertEquals("a ", stops.certain("a EN"));
        assertEquals("a ", stops.certain("a Ende"));
        assertEquals("a EN d", stops.certain("a EN d"));
        assertEquals("a ", stops.certain("a END b\n"));
        assertEquals("a", stops.certain("a\n"));
        assertEquals("a\nb", stops.certain("a\nb"));
    }

    /// Shown piece by piece, whatever the pieces, is what is cut of the whole.
    @Test
    void certainOnlyGrowsUntilTheCut() {
        String text = "EENEN Ende\n Ende…END";
        String shown = "";
        for (int i = 0; i <= text.length(); i++) {
            String certain = stops.certain(text.substring(0, i));
            assertTrue(certain.startsWith(shown), certain);
            shown = certain;
        }
        assertEquals(stops.cut(text), shown);
    }

    @Test
    void anEmptyOneIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> new StopTexts(List.of("a", "")));
    }
}
