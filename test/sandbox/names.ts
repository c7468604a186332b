/**
 * Names in many languages, each as the person writes it; if that is not the Latin script, also romanised as in a
 * document. Given names and surnames are combined at random: any likeness to a living person is chance.
 */

/** `[as written, romanised]`, or one string when both are the same. */
export type Name = string | readonly [native: string, latin: string];

export interface Culture {
  readonly female: readonly Name[];
  readonly male: readonly Name[];
  readonly family: readonly Name[];
  readonly cities: readonly string[];
  readonly streets: readonly string[];
  readonly language: string;
}

export const CULTURES: readonly Culture[] = [
  {
    female: ["Zoë", "Annelies", "Franziska", "Jördis", "Käthe", "Liselotte"],
    male: ["Jürgen", "Torsten", "Matthäus", "Friedrich", "Götz", "Anselm"],
    family: ["Müller-Lüdenscheidt", "Großkreutz", "Schäuffele", "Königsbrück", "Öhlschläger", "Weißenborn"],
    cities: ["Tübingen", "Görlitz", "Nürnberg", "Weißenfels"],
    streets: ["Lindenstraße", "Am Mühlbach", "Königsallee"],
    language: "de-DE",
  },
  {
    female: ["Małgorzata", "Agnieszka", "Żaneta", "Jadwiga", "Bożena"],
    male: ["Łukasz", "Grzegorz", "Wojciech", "Sławomir", "Przemysław"],
    family: ["Wiśniewski", "Dąbrowski", "Zieliński", "Łuszczykiewicz", "Świątek", "Brzęczyszczykiewicz"],
    cities: ["Łódź", "Kraków", "Częstochowa", "Poznań"],
    streets: ["ulica Długa", "ulica Źródlana", "aleja Wyścigowa"],
    language: "pl-PL",
  },
  {
    female: ["Chloé", "Éloïse", "Margaux", "Françoise", "Anaïs"],
    male: ["Étienne", "François", "Loïc", "Benoît", "Thibault"],
    family: ["d'Artagnan-Lefèvre", "Châtelain", "Beauchêne", "Delacroix", "L'Hôpital"],
    cities: ["Besançon", "Orléans", "Saint-Étienne", "Nîmes"],
    streets: ["rue des Forêts", "place de l'Église", "quai Fleuri"],
    language: "fr-FR",
  },
  {
    female: ["Inés", "María José", "Nuria", "Begoña", "Ximena"],
    male: ["Íñigo", "José Ramón", "Andrés", "Joaquín", "Raúl"],
    family: ["Muñoz Ibáñez", "Peñarroya", "Núñez Cabañas", "Echeverría", "Domínguez Roldán"],
    cities: ["Logroño", "A Coruña", "Córdoba", "Mérida"],
    streets: ["calle del Olmo", "avenida de España", "plaza Peñón"],
    language: "es-ES",
  },
  {
    female: ["Åsa", "Ingrid", "Sølvi", "Guðrún", "Märta"],
    male: ["Bjørn", "Håkon", "Þorsteinn", "Sören", "Åke"],
    family: ["Ångström", "Sørensen", "Bjarnadóttir", "Kjærgaard", "Östlund", "Ærøskøbing"],
    cities: ["Malmö", "Tromsø", "Ærøskøbing", "Örebro"],
    streets: ["Storgatan", "Ågatan", "Fjellveien"],
    language: "sv-SE",
  },
  {
    female: [
      ["伟玲", "Weiling"],
      ["秀英", "Xiuying"],
      ["若曦", "Ruoxi"],
    ],
    male: [
      ["建国", "Jianguo"],
      ["伟", "Wei"],
      ["子轩", "Zixuan"],
    ],
    family: [
      ["李", "Li"],
      ["欧阳", "Ouyang"],
      ["司马", "Sima"],
      ["诸葛", "Zhuge"],
    ],
    cities: ["Hangzhou", "Chengdu", "Xiamen", "Harbin"],
    streets: ["Zhongshan Lu", "Renmin Jie", "Guanghua Lu"],
    language: "zh-CN",
  },
  {
    female: [
      ["桜子", "Sakurako"],
      ["由美子", "Yumiko"],
      ["千尋", "Chihiro"],
    ],
    male: [
      ["健太郎", "Kentaro"],
      ["雄介", "Yusuke"],
      ["翔太", "Shota"],
    ],
    family: [
      ["長谷川", "Hasegawa"],
      ["小野寺", "Onodera"],
      ["山本", "Yamamoto"],
    ],
    cities: ["Kanazawa", "Sapporo", "Nagasaki", "Matsuyama"],
    streets: ["Sakuragaoka 2-chome", "Midoricho 5-chome", "Honmachi 1-chome"],
    language: "ja-JP",
  },
  {
    female: [
      ["Ελένη", "Eleni"],
      ["Παρασκευή", "Paraskevi"],
      ["Δήμητρα", "Dimitra"],
    ],
    male: [
      ["Γεώργιος", "Georgios"],
      ["Αθανάσιος", "Athanasios"],
      ["Σταύρος", "Stavros"],
    ],
    family: [
      ["Παπαδοπούλου", "Papadopoulou"],
      ["Οικονόμου", "Oikonomou"],
      ["Καραγιάννης", "Karagiannis"],
    ],
    cities: ["Ioannina", "Kavala", "Chania", "Volos"],
    streets: ["Odos Ermou", "Leoforos Nikis", "Odos Athinas"],
    language: "el-GR",
  },
  {
    female: ["Nguyệt", "Thùy Dương", "Phương Linh", "Hồng Nhung"],
    male: ["Đức Anh", "Quốc Bảo", "Thiện Nhân", "Văn Hùng"],
    family: ["Nguyễn", "Trần Đình", "Phạm Gia", "Đặng"],
    cities: ["Đà Nẵng", "Huế", "Cần Thơ", "Hải Phòng"],
    streets: ["Đường Lê Lợi", "Phố Huế", "Đường Trần Phú"],
    language: "vi-VN",
  },
  {
    female: ["Gülşen", "Çiğdem", "Ayşegül", "Şebnem"],
    male: ["Özgür", "İbrahim", "Doğukan", "Çağatay"],
    family: ["Yıldırım", "Kılıçdaroğlu", "Öztürk", "Şahinoğlu"],
    cities: ["Eskişehir", "Muğla", "İzmir", "Kırşehir"],
    streets: ["Çınar Sokak", "Gül Caddesi", "Bağdat Caddesi"],
    language: "tr-TR",
  },
  {
    female: ["Ngozi", "Folasadé", "Wanjikũ", "Temitope", "Akosua"],
    male: ["Chukwuemeka", "Olúwaseun", "Kwabena", "Tendai", "Mwangi"],
    family: ["Adébáyò", "Okonkwo", "Nkrumah-Asante", "Mutasa", "Wambugu"],
    cities: ["Abeokuta", "Kumasi", "Nakuru", "Mutare"],
    streets: ["Marina Road", "Independence Avenue", "Acacia Close"],
    language: "en-NG",
  },
  {
    female: ["Siobhán", "Niamh", "Philippa", "Winifred", "Arabella"],
    male: ["Pádraig", "Ruairí", "Benedict", "Algernon", "Tadhg"],
    family: ["O'Shaughnessy", "Featherstonehaugh", "Ní Dhomhnaill", "Cholmondeley", "Mac Giolla Phádraig"],
    cities: ["Limerick", "Aberystwyth", "Galway", "Shrewsbury"],
    streets: ["Harbour Lane", "Rosemary Street", "Castle Terrace"],
    language: "en-IE",
  },
];
