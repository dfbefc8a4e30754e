package school

import "strings"

// What people are called: common names of many places, with the accents that
// a folded search has to see through.
var (
	givenNames = strings.Fields(`
		Ada Grace Alan Edsger Barbara Donald Margaret Dennis Frances Niklaus Radia Leslie Shafi Silvio Adele Ivan
		Anna Maria Giulia Sofia Francesca Chiara Martina Elena Luca Marco Matteo Andrea Lorenzo Davide Simone Paolo
		Emma Louise Chloé Camille Zoé Élodie Inès Hugo Théo François René Jérôme Étienne Noël Loïc Anaïs
		Jürgen Günther Björn Sören Käthe Jörg Hans Heike Ulrike Matthias Sabine Stefan Claudia Wolfgang Anke Uwe
		José María Lucía Álvaro Íñigo Begoña Jesús Nuria Sergio Raúl Inés Andrés Belén Rubén Mónica Óscar
		João Beatriz Conceição Tomás Inês Gonçalo Mafalda Rui Tiago Catarina Nuno Fátima Luísa Antónia Simão Graça
		Łukasz Małgorzata Zofia Wojciech Agnieszka Grzegorz Katarzyna Paweł Jiří Tomáš Zdeněk Kateřina Věra Jakub Petra Marek
		Özgür Ayşe Mehmet Zeynep Çağla Emre Burak Elif Gökhan Şule Ümit Defne Deniz Kerem Aylin Hakan
		Ahmed Fatima Omar Layla Yusuf Amina Khalid Noor Hassan Salma Tariq Zainab Ibrahim Rania Samir Huda
		Priya Arjun Ananya Rohan Kavya Vikram Meera Aditya Lakshmi Sanjay Deepa Rahul Sunita Kiran Neha Amit
		Wei Li Na Jing Min Yan Hui Xin Yuki Haruto Sakura Ren Aoi Kenji Hana Takumi
		Minjun Seoyeon Jihoon Yuna Thanh Linh Minh Huong Dung Quang Mai Lan Oluwaseun Chidi Ngozi Amara
		James Oliver Amelia Charlotte George Isla Harry Poppy Jack Ruby Thomas Alice William Evie Henry Ivy
		Olga Dmitri Natalia Sergei Tatiana Pavel Irina Mikhail Svetlana Andrei Oksana Taras Bohdan Halyna Petro Nadia`)

	familyNames = strings.Fields(`
		Lovelace Hopper Turing Dijkstra Liskov Knuth Hamilton Ritchie Allen Wirth Perlman Lamport Goldwasser Micali Goldberg Sutherland
		Rossi Russo Ferrari Esposito Bianchi Romano Colombo Ricci Marino Greco Bruno Gallo Conti DeLuca Mancini Costa
		Martin Bernard Dubois Lefèvre Moreau Laurent Lefebvre Michel García Fournier Girard Bonnet Dupont Béranger Gauthier Chevalier
		Müller Schröder Schäfer Köhler Krüger Jäger Weiß Groß Böhm Schmidt Schneider Fischer Weber Meyer Wagner Becker
		Hernández López Martínez González Pérez Sánchez Ramírez Núñez Ibáñez Muñoz Ortiz Vázquez Domínguez Suárez Giménez Peña
		Silva Santos Ferreira Gonçalves Magalhães Araújo Simões Guimarães Conceição Brandão Leitão Assunção Falcão Galvão Leão Moura
		Nowak Kowalski Wiśniewski Wójcik Zieliński Szymański Dąbrowski Kozłowski Novák Dvořák Černý Procházka Kučera Veselý Horák Němec
		Yılmaz Kaya Demir Çelik Şahin Yıldız Öztürk Aydın Özdemir Arslan Doğan Kılıç Aslan Çetin Kara Koç
		Haddad Khoury Nasser Rahman Hussain Malik Sheikh Farouk Aziz Mansour Saleh Hamdan Karim Jaber Qureshi Siddiqui
		Sharma Patel Singh Kumar Gupta Reddy Iyer Nair Mehta Chatterjee Banerjee Desai Joshi Kapoor Rao Bhatt
		Wang Zhang Liu Chen Yang Huang Zhao Wu Tanaka Suzuki Takahashi Watanabe Yamamoto Nakamura Kobayashi Yoshida
		Kim Park Choi Jung Nguyen Tran Pham Hoang Okafor Adeyemi Mensah Diallo Mwangi Abebe Nkosi Sesay
		Smith Jones Taylor Brown Williams Wilson Johnson Davies Robinson Wright Thompson Evans Walker White Roberts Green
		Ivanova Petrov Sidorov Kuznetsov Popova Volkov Sokolov Lebedev Kovalenko Shevchenko Bondar Tkachenko Melnyk Moroz Lysenko Savchuk
		Lindström Åkesson Sjögren Öberg Håkansson Nygård Sørensen Østergaard Mäkinen Hämäläinen Virtanen Järvinen Guðmundsdóttir Björnsson Þórsson Magnúsdóttir
		Murphy OBrien Kelly Byrne Walsh Doyle McCarthy Gallagher Cohen Levi Mizrahi Friedman Papadopoulos Georgiou Dimitriou Nikolaidis`)

	subjects = []string{
		"Algorithms", "Linear Algebra", "Operating Systems", "Organic Chemistry", "Microeconomics", "Roman History", "Number Theory",
		"Databases", "Thermodynamics", "Art of the Renaissance", "Compilers", "Cell Biology", "Constitutional Law", "Statistics",
		"Computer Networks", "Philosophy of Mind", "Fluid Mechanics", "Developmental Psychology", "Topology", "Machine Learning",
		"Music Theory", "Quantum Mechanics", "Comparative Literature", "Genetics", "Human Geography", "Logic", "Structural Engineering",
		"Public Health", "Astrophysics", "Linguistics",
	}
	courseKinds = []string{"", " I", " II", " for Beginners", ", Advanced Topics", " Laboratory", " Seminar", " Tutorial"}
)
