// Where things stand in the register, as a proof is asked for them.

const PAGE_LINES = 1024;

/** What proves a line and its standing: its book, its page record and itself. */
export const placesOfLine = ({ book, line }) => [`books/${book}`, `page/${book}/${Math.floor(line / PAGE_LINES)}`, `line/${book}/${line}`];
