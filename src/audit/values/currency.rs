//! Currencies are in a table of the auditor's own, made from ISO 4217, list one.
//!
//! It has every code that has a minor unit. Funds are included; metals, test codes and drawing rights have no minor unit. Codes
//! that were withdrawn (list three) are in it, too, because old events keep them.

/// A currency has a code of three letters and a number of decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Currency {
    code: [u8; 3],
    decimals: u8,
}

const WITHOUT: &str = "BIFCLPDJFGNFISKJPYKMFKRWPYGRWFUGXUYIVNDVUVXAFXOFXPF";
const WITH_THREE: &str = "BHDIQDJODKWDLYDOMRTND";
const WITH_FOUR: &str = "CLFUYW";
const WITH_TWO: &str = "AEDAFNALLAMDANGAOAARSAUDAWGAZNBAMBBDBDTBGNBMDBNDBOBBOVBRLBSDBTNBWPBYNBZDCADCDFCHECHFCHWCNYCOP\
    COUCRCCUCCUPCVECZKDKKDOPDZDEGPERNETBEURFJDFKPGBPGELGHSGIPGMDGTQGYDHKDHNLHRKHTGHUFIDRILSINRIRRJMDKESKGSKHRKPWKYDKZT\
    LAKLBPLKRLRDLSLMADMDLMGAMKDMMKMNTMOPMRUMURMVRMWKMXNMXVMYRMZNNADNGNNIONOKNPRNZDPABPENPGKPHPPKRPLNQARRONRSDRUBSARSBD\
    SCRSDGSEKSGDSHPSLESLLSOSSRDSSPSTNSVCSYPSZLTHBTJSTMTTOPTRYTTDTWDTZSUAHUSDUSNUYUUZSVEDVESWSTXADXCDXCGYERZARZMWZWGZWL";

/// These currencies with a minor unit of two decimals were withdrawn before 2023.
const OLD_WITH_TWO: &str = "AFAALKAOKAONAORARAARPARYATSAYMAZMBADBGJBGKBGLBOPBRBBRCBREBRNBRRBUKCHCCSDCSJCSKCYPDDMDEMECSECVEEKFIM\
    FRFGEKGHCGHPGNEGNSGQEGWEGWPHRDIEPILPILRISJLAJLSMLTLLTTLVLLVRMLFMROMTLMTPMVQMXPMZEMZMNICNLGPEHPEIPES\
    PLZRHDROKROLRURSDDSDPSITSKKSRGSTDSURTJRTMMUAKUGSUGWUSSUYNUYPVEBVEFVNCXEUYDDYUDYUMYUNZALZMKZRNZRZZWC\
    ZWDZWNZWR";
const OLD_WITHOUT: &str = "ADPBECBEFBELBYBBYRESAESBESPGRDITLLUCLUFLULMGFPTETPETRL";

const TABLE: [(u8, &str); 6] =
    [(2, WITH_TWO), (0, WITHOUT), (3, WITH_THREE), (4, WITH_FOUR), (2, OLD_WITH_TWO), (0, OLD_WITHOUT)];

impl Currency {
    /// Finds the currency with this code; `None` for any other bytes.
    #[must_use]
    pub(crate) fn read(code: &[u8]) -> Option<Self> {
        let code: [u8; 3] = code.try_into().ok()?;
        // The codes that most ledgers hold are found at once; the others cost a search through some 170 codes.
        if matches!(&code, b"EUR" | b"USD" | b"GBP" | b"CHF" | b"CZK") {
            return Some(Self { code, decimals: 2 });
        }
        TABLE
            .into_iter()
            .find(|(_, codes)| codes.as_bytes().chunks_exact(3).any(|listed| listed == code))
            .map(|(decimals, _)| Self { code, decimals })
    }

    /// Gives its three letters.
    #[must_use]
    pub(crate) fn code(&self) -> &str {
        std::str::from_utf8(&self.code).unwrap_or_default()
    }

    /// Says how many decimals a sum in it has.
    #[must_use]
    pub(crate) const fn decimals(self) -> u8 {
        self.decimals
    }
}

impl std::fmt::Display for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_stands_in_one_list_and_has_its_decimals() {
        let mut all = Vec::new();
        for (decimals, list) in TABLE {
            for code in list.as_bytes().chunks(3) {
                assert_eq!(Currency::read(code).map(Currency::decimals), Some(decimals));
                all.push(code);
            }
        }
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn what_is_no_currency_is_none() {
        for code in ["eur", "EU", "EURO", "XXX", "XAU", "UR ", "DAF", ""] {
            assert_eq!(Currency::read(code.as_bytes()), None, "{code:?}");
        }
    }
}
