//! The tables of the contract that say how states change, read from crates/CONTRACT.md: one source for the services'
//! tests and for whoever checks a whole shop.
//!
//! A cell begins with what happens: a state to move to, `=` for nothing, or another word that the text above the table
//! explains; what follows a comma or a parenthesis is for people.

const CONTRACT: &str = include_str!("../../CONTRACT.md");

/// A table: a row for each input, a column for each state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The states. A heading that names several of them is several columns.
    pub states: Vec<String>,
    /// Each input with its cells, one for each state.
    pub rows: Vec<(String, Vec<String>)>,
}

impl Table {
    /// The first table below the heading that begins with these words, such as `T1`.
    ///
    /// # Panics
    /// If the contract has no such table: it is part of the program.
    #[must_use]
    pub fn below(heading: &str) -> Self {
        let text = CONTRACT
            .lines()
            .skip_while(|line| !line.strip_prefix("## ").is_some_and(|title| title.starts_with(heading)));
        let lines: Vec<Vec<&str>> = text
            .skip_while(|line| !line.starts_with('|'))
            .take_while(|line| line.starts_with('|'))
            .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
            .collect();
        assert!(lines.len() > 2, "no table below `## {heading}` in crates/CONTRACT.md");
        let columns: Vec<Vec<&str>> =
            lines[0].iter().skip(1).map(|states| states.split(", ").collect()).collect();
        let rows = lines.iter().skip(2).map(|cells| {
            let spread = cells
                .iter()
                .skip(1)
                .zip(&columns)
                .flat_map(|(cell, states)| std::iter::repeat_n((*cell).to_owned(), states.len()));
            (cells[0].replace('`', ""), spread.collect())
        });
        Self {
            states: columns.iter().flatten().map(|state| (*state).to_owned()).collect(),
            rows: rows.collect(),
        }
    }

    /// The beginning of a cell, up to a comma, a parenthesis or a semicolon.
    ///
    /// # Panics
    /// If the table has no such input or state.
    #[must_use]
    pub fn outcome(&self, input: &str, state: &str) -> &str {
        let column = self.states.iter().position(|known| known == state);
        let row = self.rows.iter().find(|(known, _)| known == input);
        match (row, column) {
            (Some((_, cells)), Some(column)) => outcome(&cells[column]),
            _ => panic!("the table has no cell for {input:?} in {state}"),
        }
    }

    /// Every move to another state that the table allows: from, to.
    #[must_use]
    pub fn moves(&self) -> Vec<(&str, &str)> {
        let cells = self.rows.iter().flat_map(|(_, cells)| self.states.iter().zip(cells));
        let found = cells.filter_map(|(from, cell)| {
            let to = outcome(cell);
            self.states.iter().any(|state| state == to).then_some((from.as_str(), to))
        });
        found.filter(|(from, to)| from != to).collect()
    }
}

fn outcome(cell: &str) -> &str {
    cell.split([',', '(', ';']).next().unwrap_or(cell).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_the_contract_is_read_cell_by_cell() {
        let orders = Table::below("T1");
        assert_eq!(orders.states[..3], ["RECEIVED", "AWAITING_PAYMENT", "PAID"]);
        assert_eq!(orders.outcome("PaymentSuccess", "AWAITING_PAYMENT"), "PAID");
        assert_eq!(orders.outcome("the buyer cancels", "AWAITING_PAYMENT"), "CANCELLED");
        assert_eq!(orders.outcome("PaymentReversed", "FAILED"), "note!");
        assert!(
            orders.moves().contains(&("PAID", "SHIPPED")) && !orders.moves().contains(&("SHIPPED", "PAID"))
        );
    }
}
