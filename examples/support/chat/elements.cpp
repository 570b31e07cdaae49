// The 118 chemical elements: atomic number, symbol, English and Chinese name.
//
// Numbers, symbols and English names (aluminium, sulfur, caesium) are from IUPAC's periodic table
// of 2016 and later. The Chinese names are those of the National Committee for Terms in Sciences
// and Technologies, the last four from 2017. The newest of those characters are so rare that most
// fonts lack them. The chatbot learns the first 36 elements, and thirteen others that everybody
// knows.
#include "examples/support/chat/facts.h"

namespace gradus::support {

const std::vector<Element>& elements() {
  // clang-format off
  static const std::vector<Element> table{
    {1, "H", "hydrogen", "氢"}, {2, "He", "helium", "氦"}, {3, "Li", "lithium", "锂"},
    {4, "Be", "beryllium", "铍"}, {5, "B", "boron", "硼"}, {6, "C", "carbon", "碳"},
    {7, "N", "nitrogen", "氮"}, {8, "O", "oxygen", "氧"}, {9, "F", "fluorine", "氟"},
    {10, "Ne", "neon", "氖"}, {11, "Na", "sodium", "钠"}, {12, "Mg", "magnesium", "镁"},
    {13, "Al", "aluminium", "铝"}, {14, "Si", "silicon", "硅"}, {15, "P", "phosphorus", "磷"},
    {16, "S", "sulfur", "硫"}, {17, "Cl", "chlorine", "氯"}, {18, "Ar", "argon", "氩"},
    {19, "K", "potassium", "钾"}, {20, "Ca", "calcium", "钙"}, {21, "Sc", "scandium", "钪"},
    {22, "Ti", "titanium", "钛"}, {23, "V", "vanadium", "钒"}, {24, "Cr", "chromium", "铬"},
    {25, "Mn", "manganese", "锰"}, {26, "Fe", "iron", "铁"}, {27, "Co", "cobalt", "钴"},
    {28, "Ni", "nickel", "镍"}, {29, "Cu", "copper", "铜"}, {30, "Zn", "zinc", "锌"},
    {31, "Ga", "gallium", "镓"}, {32, "Ge", "germanium", "锗"}, {33, "As", "arsenic", "砷"},
    {34, "Se", "selenium", "硒"}, {35, "Br", "bromine", "溴"}, {36, "Kr", "krypton", "氪"},
    {37, "Rb", "rubidium", "铷"}, {38, "Sr", "strontium", "锶"}, {39, "Y", "yttrium", "钇"},
    {40, "Zr", "zirconium", "锆"}, {41, "Nb", "niobium", "铌"}, {42, "Mo", "molybdenum", "钼"},
    {43, "Tc", "technetium", "锝"}, {44, "Ru", "ruthenium", "钌"}, {45, "Rh", "rhodium", "铑"},
    {46, "Pd", "palladium", "钯"}, {47, "Ag", "silver", "银"}, {48, "Cd", "cadmium", "镉"},
    {49, "In", "indium", "铟"}, {50, "Sn", "tin", "锡"}, {51, "Sb", "antimony", "锑"},
    {52, "Te", "tellurium", "碲"}, {53, "I", "iodine", "碘"}, {54, "Xe", "xenon", "氙"},
    {55, "Cs", "caesium", "铯"}, {56, "Ba", "barium", "钡"}, {57, "La", "lanthanum", "镧"},
    {58, "Ce", "cerium", "铈"}, {59, "Pr", "praseodymium", "镨"}, {60, "Nd", "neodymium", "钕"},
    {61, "Pm", "promethium", "钷"}, {62, "Sm", "samarium", "钐"}, {63, "Eu", "europium", "铕"},
    {64, "Gd", "gadolinium", "钆"}, {65, "Tb", "terbium", "铽"}, {66, "Dy", "dysprosium", "镝"},
    {67, "Ho", "holmium", "钬"}, {68, "Er", "erbium", "铒"}, {69, "Tm", "thulium", "铥"},
    {70, "Yb", "ytterbium", "镱"}, {71, "Lu", "lutetium", "镥"}, {72, "Hf", "hafnium", "铪"},
    {73, "Ta", "tantalum", "钽"}, {74, "W", "tungsten", "钨"}, {75, "Re", "rhenium", "铼"},
    {76, "Os", "osmium", "锇"}, {77, "Ir", "iridium", "铱"}, {78, "Pt", "platinum", "铂"},
    {79, "Au", "gold", "金"}, {80, "Hg", "mercury", "汞"}, {81, "Tl", "thallium", "铊"},
    {82, "Pb", "lead", "铅"}, {83, "Bi", "bismuth", "铋"}, {84, "Po", "polonium", "钋"},
    {85, "At", "astatine", "砹"}, {86, "Rn", "radon", "氡"}, {87, "Fr", "francium", "钫"},
    {88, "Ra", "radium", "镭"}, {89, "Ac", "actinium", "锕"}, {90, "Th", "thorium", "钍"},
    {91, "Pa", "protactinium", "镤"}, {92, "U", "uranium", "铀"}, {93, "Np", "neptunium", "镎"},
    {94, "Pu", "plutonium", "钚"}, {95, "Am", "americium", "镅"}, {96, "Cm", "curium", "锔"},
    {97, "Bk", "berkelium", "锫"}, {98, "Cf", "californium", "锎"},
    {99, "Es", "einsteinium", "锿"}, {100, "Fm", "fermium", "镄"},
    {101, "Md", "mendelevium", "钔"}, {102, "No", "nobelium", "锘"},
    {103, "Lr", "lawrencium", "铹"}, {104, "Rf", "rutherfordium", "𬬻"},
    {105, "Db", "dubnium", "𬭊"}, {106, "Sg", "seaborgium", "𬭳"}, {107, "Bh", "bohrium", "𬭛"},
    {108, "Hs", "hassium", "𬭶"}, {109, "Mt", "meitnerium", "鿏"},
    {110, "Ds", "darmstadtium", "𫟼"}, {111, "Rg", "roentgenium", "𬬭"},
    {112, "Cn", "copernicium", "鿔"}, {113, "Nh", "nihonium", "鿭"},
    {114, "Fl", "flerovium", "𫓧"}, {115, "Mc", "moscovium", "镆"},
    {116, "Lv", "livermorium", "𫟷"}, {117, "Ts", "tennessine", "鿬"},
    {118, "Og", "oganesson", "鿫"},
  };
  // clang-format on
  return table;
}

const std::vector<int>& taught_elements() {
  static const std::vector<int> numbers = [] {
    std::vector<int> all;
    for (int z = 1; z <= 36; ++z) all.push_back(z);
    for (int z : {47, 50, 53, 54, 56, 74, 78, 79, 80, 82, 86, 88, 92}) all.push_back(z);
    return all;
  }();
  return numbers;
}

}  // namespace gradus::support
